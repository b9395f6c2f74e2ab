/** What is to be known of containers before their logs are shown. */
import type { Container, Instance } from "./queries";

/** The container whose log tells most: one that holds up the others, else the first that serves. */
export function tellingContainer({ containers }: Pick<Instance, "containers">): string | undefined {
  const holdsUp = containers.find(({ initial, ready }) => initial && !ready);
  const serves = containers.find(({ initial }) => !initial);
  return (holdsUp ?? serves ?? containers[0])?.name;
}

/** How a container does, in a word or two. */
export function describeContainer({ initial, ready, reason }: Container): string {
  if (initial && ready) return "Done";
  if (ready) return "Ready";
  return reason ? "Not ready" : initial ? "Not done" : "Starting";
}

/** Whether it has ended and is not started again. */
export function isDone({ initial, ready }: Container): boolean {
  return initial && ready;
}
