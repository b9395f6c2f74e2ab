import Alert from "@mui/material/Alert";
import Snackbar from "@mui/material/Snackbar";
import { createContext, type ReactNode, useCallback, useContext, useMemo, useState } from "react";

interface Message {
  text: string;
  severity: "success" | "error";
  id: number;
}

interface Toasts {
  succeed(text: string): void;
  fail(text: string): void;
}

const Context = createContext<Toasts>({ succeed: () => {}, fail: () => {} });

/** Says in a corner what was done. */
export function useToasts(): Toasts {
  return useContext(Context);
}

export function ToastProvider({ children }: { children: ReactNode }) {
  const [message, setMessage] = useState<Message>();
  const show = useCallback((severity: Message["severity"], text: string) => {
    setMessage((before) => ({ text, severity, id: (before?.id ?? 0) + 1 }));
  }, []);
  const toasts = useMemo<Toasts>(
    () => ({ succeed: (text) => show("success", text), fail: (text) => show("error", text) }),
    [show],
  );
  const close = () => setMessage(undefined);
  return (
    <Context value={toasts}>
      {children}
      <Snackbar
        key={message?.id}
        open={message !== undefined}
        autoHideDuration={message?.severity === "error" ? 10_000 : 4_000}
        onClose={(_event, reason) => reason !== "clickaway" && close()}
        anchorOrigin={{ vertical: "bottom", horizontal: "right" }}
      >
        <Alert severity={message?.severity} variant="filled" onClose={close} sx={{ maxWidth: 560 }}>
          {message?.text}
        </Alert>
      </Snackbar>
    </Context>
  );
}
