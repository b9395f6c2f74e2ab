{{/* The chart's name. */}}
{{- define "provost.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 53 | trimSuffix "-" }}
{{- end }}

{{/*
The name of the release's objects. Short enough for the longest suffix (`-webhook`), since a Service's name has at most
63 characters.
*/}}
{{- define "provost.fullname" -}}
{{- $name := include "provost.name" . }}
{{- $full := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) }}
{{- default $full .Values.fullnameOverride | trunc 53 | trimSuffix "-" }}
{{- end }}

{{/*
The name of what lies outside the release's namespace: two releases of one name in two namespaces must not meet there.
*/}}
{{- define "provost.clusterName" -}}
{{- printf "%s-%s" (include "provost.fullname" .) .Release.Namespace }}
{{- end }}

{{/* The webhook's Service, and the Secret of its certificates: the operator names the one like the other. */}}
{{- define "provost.webhookName" -}}
{{- printf "%s-webhook" (include "provost.fullname" .) }}
{{- end }}

{{/* The ValidatingWebhookConfiguration, where the operator looks for it. */}}
{{- define "provost.webhookConfigurationName" -}}
{{- printf "%s-%s" (include "provost.webhookName" .) .Release.Namespace }}
{{- end }}

{{- define "provost.metricsName" -}}
{{- printf "%s-metrics" (include "provost.fullname" .) }}
{{- end }}

{{- define "provost.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "provost.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{/* The reference of the image: by digest where there is one, else by tag. */}}
{{- define "provost.image" -}}
{{- with .Values.image }}
{{- if .digest }}
{{- printf "%s@%s" .repository .digest }}
{{- else }}
{{- printf "%s:%s" .repository (default $.Chart.AppVersion .tag) }}
{{- end }}
{{- end }}
{{- end }}

{{/* The ConfigMap with the release's own model servers. */}}
{{- define "provost.modelServersName" -}}
{{- printf "%s-servers" (include "provost.fullname" .) }}
{{- end }}
