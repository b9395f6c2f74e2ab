import { useSuspenseQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { ManifestEditor } from "./components/ManifestEditor";
import { deploymentQuery, historyQuery } from "./queries";

const route = getRouteApi("/deployments/$namespace/$name/manifest");

/** The manifest: to read, to copy, to change. */
export function ManifestPage() {
  const { generation } = route.useSearch();
  return generation === undefined ? <Present /> : <Past key={generation} generation={generation} />;
}

function Present() {
  const { data: deployment } = useSuspenseQuery(deploymentQuery(route.useParams()));
  return <ManifestEditor deployment={deployment} />;
}

/** Begins with the manifest of an older generation. */
function Past({ generation }: { generation: number }) {
  const params = route.useParams();
  const { data: deployment } = useSuspenseQuery(deploymentQuery(params));
  const { data: history } = useSuspenseQuery(historyQuery(params));
  const past = history.items.find((change) => change.generation === generation)?.manifestYaml ?? undefined;
  return <ManifestEditor deployment={deployment} draft={past} draftGeneration={generation} />;
}
