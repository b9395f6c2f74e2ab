{{/* The name of the built-in gateway's objects. */}}
{{- define "provost.gatewayName" -}}
{{- printf "%s-gateway" (include "provost.fullname" .) }}
{{- end }}

{{/* The same outside the release's namespace. */}}
{{- define "provost.gatewayClusterName" -}}
{{- printf "%s-%s" (include "provost.gatewayName" .) .Release.Namespace }}
{{- end }}

{{/* What the gateway's pods are told by. */}}
{{- define "provost.gatewaySelectorLabels" -}}
app.kubernetes.io/name: {{ include "provost.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: gateway
{{- end }}

{{/* Labels of its objects. */}}
{{- define "provost.gatewayLabels" -}}
{{- merge (fromYaml (include "provost.gatewaySelectorLabels" .)) (fromYaml (include "provost.labels" .)) | toYaml }}
{{- end }}

{{/* Labels of its pods. */}}
{{- define "provost.gatewayPodLabels" -}}
{{- merge (fromYaml (include "provost.gatewaySelectorLabels" .)) (fromYaml (include "provost.podLabels" .)) | toYaml }}
{{- end }}

{{/* What it asks of the API server: where requests go stands in the statuses. */}}
{{- define "provost.gatewayRules" -}}
- apiGroups: [machinelearning.seldon.io]
  resources: [seldondeployments]
  verbs: [list, watch]
{{- end }}

{{- define "provost.gatewaySubjects" -}}
- kind: ServiceAccount
  name: {{ include "provost.gatewayName" . }}
  namespace: {{ .Release.Namespace }}
{{- end }}
