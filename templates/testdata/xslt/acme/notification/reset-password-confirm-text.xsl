<?xml version="1.0" encoding="utf-8"?>
<xsl:stylesheet version="2.0"
    xmlns:xsl="http://www.w3.org/1999/XSL/Transform"
    xmlns:m="https://example.org/mail">

<xsl:import href="_text.xsl"/>

<xsl:template match="/notification">
Hello <xsl:value-of select="member/@firstname"/>,

<xsl:choose>
  <xsl:when test="@reason = 'forced'">You are now an administrator. Please choose a stronger password:</xsl:when>
  <xsl:when test="@reason = 'admin'">An administrator asks you to choose a new password:</xsl:when>
  <xsl:otherwise>You asked for a new password:</xsl:otherwise>
</xsl:choose><xsl:text>
  </xsl:text><xsl:value-of select="m:link(.)"/>
<xsl:text>
</xsl:text>
<xsl:call-template name="signature"/>
</xsl:template>

</xsl:stylesheet>
