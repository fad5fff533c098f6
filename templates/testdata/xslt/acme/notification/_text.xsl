<?xml version="1.0" encoding="utf-8"?>
<xsl:stylesheet version="2.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">

<xsl:import href="_functions.xsl"/>
<xsl:output method="text" encoding="UTF-8"/>
<xsl:strip-space elements="*"/>

<xsl:template name="signature">
-- 
<xsl:value-of select="if (group) then group/@name else @emaildomain"/>
</xsl:template>

</xsl:stylesheet>
