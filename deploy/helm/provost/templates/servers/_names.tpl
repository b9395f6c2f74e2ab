{{/*
Servers before the pods: the control plane and the built-in gateway. What follows is given one of them: `root`, its `role`
as `provost serve --roles` has it, its `suffix` in names, and its `values`.
*/}}
{{- define "provost.serverName" -}}
{{- printf "%s-%s" (include "provost.fullname" .root) .suffix }}
{{- end }}

{{/* The same outside the release's namespace. */}}
{{- define "provost.serverClusterName" -}}
{{- printf "%s-%s" (include "provost.serverName" .) .root.Release.Namespace }}
{{- end }}

{{/* What its pods are told by. */}}
{{- define "provost.serverSelectorLabels" -}}
app.kubernetes.io/name: {{ include "provost.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .role }}
{{- end }}

{{/* Labels of its objects. */}}
{{- define "provost.serverLabels" -}}
{{- merge (fromYaml (include "provost.serverSelectorLabels" .)) (fromYaml (include "provost.labels" .root)) | toYaml }}
{{- end }}

{{/* Labels of its pods. */}}
{{- define "provost.serverPodLabels" -}}
{{- merge (fromYaml (include "provost.serverSelectorLabels" .)) (fromYaml (include "provost.podLabels" .root)) | toYaml }}
{{- end }}
