/** Telling a deployment what came of a prediction. */
import { predict } from "@/features/predict/predict";

export interface Feedback {
  requestId: string;
  /** What should have been answered, an instance each; empty where only a reward is told. */
  truth: string;
  reward: string;
}

/** Why the feedback cannot be sent; nothing where it can. */
export function whatIsWrong({ truth, reward }: Feedback, instances: number): string | undefined {
  if (!truth.trim() && !reward.trim()) return "Tell what it should have been, a reward, or both.";
  if (reward.trim() && !Number.isFinite(Number(reward))) return "A reward is a number, such as 1 or 0.5.";
  const told = truth.trim() ? values(truth).length : instances;
  return told === instances ? undefined : `There are ${instances} instances, and ${told} values.`;
}

/** The body that tells it. */
export function feedbackBody({ requestId, truth, reward }: Feedback): string {
  return JSON.stringify({
    response: { meta: { puid: requestId } },
    ...(truth.trim() && { truth: { data: { ndarray: values(truth) } } }),
    ...(reward.trim() && { reward: Number(reward) }),
  });
}

/** Sends it; an answer that is none is the error. */
export async function sendFeedback(path: string, feedback: Feedback): Promise<void> {
  const { isOk, body } = await predict({ path, body: feedbackBody(feedback) });
  if (!isOk) throw new Error(reasonOf(body));
}

function reasonOf(body: string): string {
  try {
    return JSON.parse(body).status.info;
  } catch {
    return body;
  }
}

/** Classes by number or by name. */
function values(text: string): (number | string)[] {
  return text.split(",").map((part) => {
    const word = part.trim();
    return word && Number.isFinite(Number(word)) ? Number(word) : word;
  });
}
