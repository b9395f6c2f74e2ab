import { useSuspenseQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useState } from "react";
import { LogView } from "./components/LogView";
import { NoInstance } from "./components/NoInstance";
import { tellingContainer } from "./container";
import { instancesQuery } from "./queries";

const route = getRouteApi("/deployments/$namespace/$name/instances/$instance/log");

/** The log of a container, live. */
export function LogPage() {
  const { instance } = route.useParams();
  // How lines are shown is kept from one log to the next.
  const [isWrapped, setIsWrapped] = useState(false);
  return <InstanceLog key={instance} isWrapped={isWrapped} onWrap={setIsWrapped} />;
}

interface Props {
  isWrapped: boolean;
  onWrap: (isWrapped: boolean) => void;
}

function InstanceLog({ isWrapped, onWrap }: Props) {
  const params = route.useParams();
  const { container: asked, previous } = route.useSearch();
  const { data: instances } = useSuspenseQuery(instancesQuery(params));
  const current = instances.items.find(({ name }) => name === params.instance);
  // What was read stays in sight when the instance goes.
  const [last, setLast] = useState(current);
  if (current && current !== last) setLast(current);
  const instance = current ?? last;
  // Which container tells most changes as they start; the log that is read does not.
  const [telling] = useState(() => instance && tellingContainer(instance));
  const container = asked ?? telling;
  if (!instance) return <NoInstance deployment={params} instance={params.instance} />;
  return (
    <LogView
      key={`${container} ${previous}`}
      id={{ ...params, container, isPrevious: previous === "on" }}
      instance={instance}
      instances={instances.items}
      isGone={current === undefined}
      isWrapped={isWrapped}
      onWrap={onWrap}
    />
  );
}
