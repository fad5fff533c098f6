<?xml version="1.0" encoding="utf-8"?>
<xsl:stylesheet version="2.0"
    xmlns:xsl="http://www.w3.org/1999/XSL/Transform"
    xmlns:xs="http://www.w3.org/2001/XMLSchema"
    xmlns:m="https://example.org/mail"
    exclude-result-prefixes="#all">

<!-- The host of a URL. -->
<xsl:function name="m:host" as="xs:string">
  <xsl:param name="url" as="xs:string"/>
  <xsl:sequence select="replace($url, '^[a-z]+://([^/:]+).*$', '$1')"/>
</xsl:function>

<!-- The address where the member sets a password. -->
<xsl:function name="m:link" as="xs:string">
  <xsl:param name="notification" as="element(notification)"/>
  <xsl:sequence select="concat($notification/@hosturl, '/email/changepassword?member=', $notification/member/@id,
                               '&amp;token=', encode-for-uri($notification/@token))"/>
</xsl:function>

<!-- Text with *stars* around what is strong. -->
<xsl:function name="m:rich" as="node()*">
  <xsl:param name="text" as="xs:string"/>
  <xsl:analyze-string select="$text" regex="\*([^*]+)\*">
    <xsl:matching-substring><b><xsl:value-of select="regex-group(1)"/></b></xsl:matching-substring>
    <xsl:non-matching-substring><xsl:value-of select="."/></xsl:non-matching-substring>
  </xsl:analyze-string>
</xsl:function>

</xsl:stylesheet>
