{{/* What the operator's pods are told by. A Deployment's selector never changes, so neither may this. */}}
{{- define "provost.selectorLabels" -}}
app.kubernetes.io/name: {{ include "provost.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: operator
{{- end }}

{{/* Labels of every object. Maps are merged, so that no key stands twice; the chart's win. */}}
{{- define "provost.labels" -}}
{{- $own := fromYaml (include "provost.selectorLabels" .) }}
{{- $_ := set $own "app.kubernetes.io/version" (.Chart.AppVersion | trunc 63) }}
{{- $_ := set $own "app.kubernetes.io/part-of" "provost" }}
{{- $_ := set $own "app.kubernetes.io/managed-by" .Release.Service }}
{{- $chart := printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- $_ := set $own "helm.sh/chart" $chart }}
{{- merge $own .Values.commonLabels | toYaml }}
{{- end }}

{{/* Labels of the pods: none that changes with the chart's version alone, or an upgrade would restart them for it. */}}
{{- define "provost.podLabels" -}}
{{- $own := fromYaml (include "provost.selectorLabels" .) }}
{{- merge $own .Values.podLabels .Values.commonLabels | toYaml }}
{{- end }}
