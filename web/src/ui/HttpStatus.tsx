import Box from "@mui/material/Box";

const words: Record<number, string> = {
  200: "OK",
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  413: "Content Too Large",
  415: "Unsupported Media Type",
  422: "Unprocessable Content",
  429: "Too Many Requests",
  500: "Internal Server Error",
  503: "Service Unavailable",
};

/** A status of HTTP in the colour of its kind. */
export function HttpStatus({ status, form = "words" }: { status: number; form?: "words" | "code" }) {
  const tone = status < 400 ? "healthy" : status < 500 ? "progressing" : "failed";
  return (
    <Box
      component="span"
      sx={{
        display: "inline-block",
        px: 0.75,
        borderRadius: 1,
        fontWeight: 600,
        fontSize: "0.75rem",
        lineHeight: "20px",
        fontVariantNumeric: "tabular-nums",
        color: `console.status.${tone}.main`,
        bgcolor: `console.status.${tone}.soft`,
      }}
    >
      {status} {form === "words" ? words[status] : undefined}
    </Box>
  );
}
