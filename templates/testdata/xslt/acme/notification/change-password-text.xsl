<?xml version="1.0" encoding="utf-8"?>
<xsl:stylesheet version="2.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">

<xsl:import href="_text.xsl"/>

<xsl:template match="/notification">
Hello <xsl:value-of select="member/fullname"/>,

your password was changed.
<xsl:call-template name="signature"/>
</xsl:template>

</xsl:stylesheet>
