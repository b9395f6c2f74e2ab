import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { ApiError, ConnectionError } from "./api/problem";
import { Providers } from "./app/Providers";

const root = document.getElementById("root");
if (root) {
  // What the server said is shown on the page; only faults of the console itself are for its log.
  const onCaughtError = (error: unknown) => {
    if (!(error instanceof ApiError) && !(error instanceof ConnectionError)) reportError(error);
  };
  createRoot(root, { onCaughtError }).render(
    <StrictMode>
      <Providers />
    </StrictMode>,
  );
}
