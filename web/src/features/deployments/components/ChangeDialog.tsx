import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { changeDeployment, type Deployment } from "../queries";
import type { Change } from "../rollout";
import { ReviewDialog } from "./ReviewDialog";

interface Props extends Change {
  deployment: Deployment;
  /** What the history says where no comment is made. */
  placeholder?: string;
  onClose: () => void;
}

/** Asks the server what a change makes of the manifest, shows it, and has it made. */
export function ChangeDialog({ deployment, title, change, placeholder, onClose }: Props) {
  // What is reviewed is what is changed: not what somebody else makes of it meanwhile.
  const [reviewed] = useState(deployment);
  const { namespace, name, generation } = reviewed;
  const { data, error } = useQuery({
    queryKey: ["change", namespace, name, generation, change],
    queryFn: ({ signal }) => changeDeployment(reviewed, change, { generation, isDryRun: true }, signal),
    retry: false,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
  });
  return (
    <ReviewDialog
      deployment={reviewed}
      title={title}
      manifest={data?.applied[0]?.manifestYaml ?? undefined}
      refusal={error}
      placeholder={placeholder}
      send={(message) => changeDeployment(reviewed, change, { message, generation })}
      onClose={onClose}
    />
  );
}
