/** How wide a page is, and its margins: the same for the bar on top and what is below. */
export const pageWidth = { width: "100%", maxWidth: 1800, mx: "auto", px: { xs: 2, md: 3 } } as const;
