{{/* The name of the control plane's objects. */}}
{{- define "provost.controlPlaneName" -}}
{{- printf "%s-console" (include "provost.fullname" .) }}
{{- end }}

{{/* The same outside the release's namespace. */}}
{{- define "provost.controlPlaneClusterName" -}}
{{- printf "%s-%s" (include "provost.controlPlaneName" .) .Release.Namespace }}
{{- end }}

{{/* What the control plane's pods are told by. */}}
{{- define "provost.controlPlaneSelectorLabels" -}}
app.kubernetes.io/name: {{ include "provost.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: control-plane
{{- end }}

{{/* Labels of its objects. */}}
{{- define "provost.controlPlaneLabels" -}}
{{- merge (fromYaml (include "provost.controlPlaneSelectorLabels" .)) (fromYaml (include "provost.labels" .)) | toYaml }}
{{- end }}

{{/* Labels of its pods. */}}
{{- define "provost.controlPlanePodLabels" -}}
{{- merge (fromYaml (include "provost.controlPlaneSelectorLabels" .)) (fromYaml (include "provost.podLabels" .)) | toYaml }}
{{- end }}

{{/*
What the control plane asks of the API server in a namespace that it shows: it shows and changes SeldonDeployments, and
shows what runs them. It reads no Secret.
*/}}
{{- define "provost.controlPlaneRules" -}}
- apiGroups: [machinelearning.seldon.io]
  resources: [seldondeployments]
  verbs: [create, delete, get, list, update, watch]
- apiGroups: [""]
  resources: [pods]
  verbs: [list, watch]
- apiGroups: [""]
  resources: [pods/log]
  verbs: [get]
- apiGroups: [""]
  resources: [events]
  verbs: [list]
{{- end }}

{{- define "provost.controlPlaneSubjects" -}}
- kind: ServiceAccount
  name: {{ include "provost.controlPlaneName" . }}
  namespace: {{ .Release.Namespace }}
{{- end }}
