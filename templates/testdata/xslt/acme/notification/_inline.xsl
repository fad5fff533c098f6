<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE xsl:stylesheet [
  <!ENTITY css SYSTEM "mail.css">
]>
<!-- Writes the rules of mail.css into style attributes, since many mail
     programs know no style sheets. A rule is .class { ... } or element { ... }. -->
<xsl:stylesheet version="2.0"
    xmlns:xsl="http://www.w3.org/1999/XSL/Transform"
    xmlns:xs="http://www.w3.org/2001/XMLSchema"
    xmlns:m="https://example.org/mail"
    exclude-result-prefixes="#all">

<xsl:variable name="css" as="xs:string">&css;</xsl:variable>

<xsl:variable name="rules" as="element(rule)*">
  <xsl:analyze-string select="$css" regex="(\.?)([\w\-]+)\s*\{{\s*([^}}]*?)\s*\}}">
    <xsl:matching-substring>
      <rule class="{regex-group(1) = '.'}" name="{regex-group(2)}"><xsl:value-of select="regex-group(3)"/></rule>
    </xsl:matching-substring>
  </xsl:analyze-string>
</xsl:variable>

<xsl:function name="m:inline" as="node()*">
  <xsl:param name="content" as="node()*"/>
  <xsl:apply-templates select="$content" mode="inline"/>
</xsl:function>

<xsl:template match="*" mode="inline">
  <xsl:variable name="classes" select="tokenize(@class, '\s+')"/>
  <xsl:variable name="style" as="xs:string*"
      select="$rules[@class = 'false' and @name = name(current())], $rules[@class = 'true' and @name = $classes], @style/string()"/>
  <xsl:copy>
    <xsl:copy-of select="@* except (@class, @style)"/>
    <xsl:if test="exists($style)">
      <xsl:attribute name="style" select="normalize-space(string-join($style, ' '))"/>
    </xsl:if>
    <xsl:apply-templates mode="inline"/>
  </xsl:copy>
</xsl:template>

</xsl:stylesheet>
