<?xml version="1.0" encoding="utf-8"?>
<!-- The frame of the HTML mails: header, content and footer in modes. -->
<xsl:stylesheet version="2.0"
    xmlns:xsl="http://www.w3.org/1999/XSL/Transform"
    xmlns:xs="http://www.w3.org/2001/XMLSchema"
    xmlns:m="https://example.org/mail"
    exclude-result-prefixes="#all">

<xsl:import href="_functions.xsl"/>
<xsl:import href="_inline.xsl"/>

<xsl:output method="html" encoding="UTF-8" indent="no" doctype-public="-//W3C//DTD HTML 4.01 Transitional//EN"/>

<xsl:template match="/notification" priority="0">
  <html>
    <head>
      <xsl:apply-templates select="." mode="head"/>
    </head>
    <xsl:variable name="body" as="element(body)">
      <body>
        <table class="frame" cellspacing="0" cellpadding="0">
          <tr><td class="header"><xsl:apply-templates select="." mode="header"/></td></tr>
          <tr><td class="content"><xsl:apply-templates select="." mode="content"/></td></tr>
          <tr><td class="footer"><xsl:apply-templates select="." mode="footer"/></td></tr>
        </table>
      </body>
    </xsl:variable>
    <xsl:sequence select="m:inline($body)"/>
  </html>
</xsl:template>

<xsl:template match="notification" mode="head content"/>

<xsl:template match="notification" mode="header">
  <a href="{@hosturl}/"><xsl:value-of select="if (group) then group/@name else m:host(@hosturl)"/></a>
</xsl:template>

<xsl:template match="notification" mode="footer">
  <xsl:choose>
    <xsl:when test="group">
      <p>You get this because you belong to <i><xsl:value-of select="group/@name"/></i>.
        <a href="{@hosturl}/email/unsubscribe?group={group/@name}&amp;token={@unsubscribetoken}">Unsubscribe</a></p>
    </xsl:when>
    <xsl:otherwise>
      <p>You get this because you have an account on <xsl:value-of select="m:host(@hosturl)"/>.</p>
    </xsl:otherwise>
  </xsl:choose>
</xsl:template>

</xsl:stylesheet>
