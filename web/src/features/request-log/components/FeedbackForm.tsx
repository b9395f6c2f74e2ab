import Alert from "@mui/material/Alert";
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import TextField from "@mui/material/TextField";
import Typography from "@mui/material/Typography";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { messageOf } from "@/api/problem";
import { queryKeys } from "@/api/query-keys";
import type { Deployment } from "@/features/deployments/queries";
import { useToasts } from "@/ui/Toast";
import type { LogRow } from "../columns";
import { sendFeedback, whatIsWrong } from "../feedback";

interface Props {
  deployment: Deployment;
  /** All rows of the request. */
  siblings: LogRow[];
}

/** Tells what came of a request: what it should have been, how good it was. */
export function FeedbackForm({ deployment: { namespace, name }, siblings }: Props) {
  const [truth, setTruth] = useState("");
  const [reward, setReward] = useState("");
  const [problem, setProblem] = useState<string>();
  const queryClient = useQueryClient();
  const { succeed } = useToasts();
  const instances = siblings.length;
  const feedback = { requestId: siblings[0]?.requestId ?? "", truth, reward };
  const sending = useMutation({
    mutationFn: () => sendFeedback(`/seldon/${namespace}/${name}/api/v1.0/feedback`, feedback),
    onSuccess: async () => {
      setTruth("");
      setReward("");
      succeed("Feedback is kept beside the request.");
      await queryClient.invalidateQueries({ queryKey: queryKeys.deployment(namespace, name) });
    },
    onError: (error) => setProblem(messageOf(error)),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const wrong = whatIsWrong(feedback, instances);
    setProblem(wrong);
    if (!wrong) sending.mutate();
  };
  const hint =
    instances > 1
      ? `A class or number for each of the ${instances} instances, by commas`
      : "A class or a number";
  return (
    <Box component="form" aria-label="Tell what came of it" onSubmit={submit} noValidate>
      <Typography variant="h3" gutterBottom>
        Tell what came of it
      </Typography>
      <Box sx={{ display: "flex", gap: 1.5, alignItems: "flex-start" }}>
        <TextField
          size="small"
          label="Truth"
          helperText={hint}
          value={truth}
          onChange={(event) => setTruth(event.target.value)}
          sx={{ flexGrow: 1 }}
        />
        <TextField
          size="small"
          label="Reward"
          value={reward}
          onChange={(event) => setReward(event.target.value)}
          sx={{ width: 112, flexShrink: 0 }}
        />
        <Button type="submit" variant="outlined" disabled={sending.isPending}>
          Send
        </Button>
      </Box>
      {problem && (
        <Alert severity="error" sx={{ mt: 1 }}>
          {problem}
        </Alert>
      )}
    </Box>
  );
}
