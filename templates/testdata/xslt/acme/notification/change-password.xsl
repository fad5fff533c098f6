<?xml version="1.0" encoding="utf-8"?>
<xsl:stylesheet version="2.0"
    xmlns:xsl="http://www.w3.org/1999/XSL/Transform"
    exclude-result-prefixes="#all">

<xsl:import href="_layout.xsl"/>

<xsl:template match="notification[@template = 'change-password']" mode="head">
  <title>Your password has been updated</title>
</xsl:template>

<xsl:template match="notification[@template = 'change-password']" mode="content">
  <p>Hello <xsl:value-of select="member/fullname"/>,</p>
  <p>Your password was changed. If it was not you, tell <xsl:value-of select="(group/@name, 'us')[1]"/>.</p>
</xsl:template>

</xsl:stylesheet>
