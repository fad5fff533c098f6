<?xml version="1.0" encoding="utf-8"?>
<xsl:stylesheet version="2.0"
    xmlns:xsl="http://www.w3.org/1999/XSL/Transform"
    xmlns:m="https://example.org/mail"
    exclude-result-prefixes="#all">

<xsl:import href="_layout.xsl"/>

<xsl:template match="notification[@template = 'reset-password-confirm']" mode="head">
  <title>Update your password<xsl:if test="group">, <xsl:value-of select="group/@name"/></xsl:if></title>
  <meta name="sender-name" content="Acme editors"/>
  <meta name="sender-email" content="editors@acme.example"/>
  <meta name="reply-to" content="help@acme.example"/>
</xsl:template>

<xsl:template match="notification[@template = 'reset-password-confirm']" mode="content">
  <p>Hello <xsl:value-of select="member/@firstname"/>,</p>
  <p>
    <xsl:sequence select="m:rich(
        if (@reason = 'forced') then 'You are now an *administrator*. Please choose a stronger password.'
        else if (@reason = 'admin') then 'An administrator asks you to choose a *new password*.'
        else 'You asked for a *new password*.')"/>
  </p>
  <p><a class="button" href="{m:link(.)}">Reset password</a></p>
</xsl:template>

</xsl:stylesheet>
