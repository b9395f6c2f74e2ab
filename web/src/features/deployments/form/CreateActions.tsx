import Alert from "@mui/material/Alert";
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import TextField from "@mui/material/TextField";

interface Props {
  message: string;
  onMessage: (message: string) => void;
  isPending: boolean;
  /** Whether there is a deployment of this name already. */
  isUpdate: boolean;
}

/** The end of the form. */
export function CreateActions({ message, onMessage, isPending, isUpdate }: Props) {
  return (
    <Box sx={{ display: "grid", gap: 1.5 }}>
      {isUpdate && (
        <Alert severity="warning">
          There is a deployment of this name in this namespace. Going on updates it; choose another name to
          create one.
        </Alert>
      )}
      <Box sx={{ display: "flex", gap: 1.5 }}>
        <TextField
          label="Comment"
          placeholder="Why, for the history (optional)"
          value={message}
          onChange={({ target }) => onMessage(target.value)}
          slotProps={{ inputLabel: { shrink: true } }}
        />
        <Button
          type="submit"
          variant="contained"
          loading={isPending}
          sx={{ flexShrink: 0, minHeight: 36, px: 2.5 }}
        >
          {isUpdate ? "Update deployment" : "Create deployment"}
        </Button>
      </Box>
    </Box>
  );
}
