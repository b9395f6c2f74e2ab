/** What the page of a log keeps in the URL. */
import * as z from "zod/mini";

export const logSearch = z.object({
  container: z.catch(z.optional(z.string()), undefined),
  /** `on` for the log of the container that ran before. */
  previous: z.catch(z.optional(z.literal("on")), undefined),
  /** `off` while no new lines are to come in. */
  follow: z.catch(z.optional(z.literal("off")), undefined),
});
