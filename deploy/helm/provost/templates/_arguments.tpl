{{/* The operator's command line. */}}
{{- define "provost.arguments" -}}
- operator
- --image={{ include "provost.image" . }}
- --image-pull-policy={{ .Values.image.pullPolicy }}
{{- range .Values.predictors.imagePullSecrets }}
- --image-pull-secret={{ . }}
{{- end }}
{{- with .Values.predictors.storageInitializerImage }}
- --storage-initializer-image={{ . }}
{{- end }}
{{- if not .Values.predictors.serviceAccountSecrets }}
- --service-account-secrets=false
{{- end }}
{{- with .Values.predictors.requestLog.bucket }}
- {{ printf "--request-log-bucket=%s" . | quote }}
{{- end }}
{{- with .Values.predictors.requestLog.secret }}
- --request-log-secret={{ . }}
{{- end }}
{{- with .Values.predictors.traces.otlpEndpoint }}
- {{ printf "--otlp-endpoint=%s" . | quote }}
- --trace-ratio={{ $.Values.predictors.traces.ratio }}
{{- end }}
{{- include "provost.modelServerArguments" . }}
{{- with .Values.gateway }}
- --gateway={{ . }}
{{- end }}
{{- range .Values.watchNamespaces }}
- --watch-namespace={{ . }}
{{- end }}
{{- with .Values.controllerId }}
- --controller-id={{ . }}
{{- end }}
{{- if .Values.inferenceServices }}
- --inference-services
{{- with .Values.ingressDomain }}
- --ingress-domain={{ . }}
{{- end }}
{{- if include "provost.hasActivator" . }}
- --activator={{ .Release.Namespace }}/{{ include "provost.serverName" (dict "root" . "suffix" "gateway") }}
{{- end }}
{{- end }}
- --listen=0.0.0.0:8081
{{- if .Values.leaderElection.enabled }}
- --lease={{ .Release.Namespace }}/{{ include "provost.fullname" . }}
{{- end }}
{{- if .Values.webhook.enabled }}
- --webhook={{ .Release.Namespace }}/{{ include "provost.webhookName" . }}
{{- end }}
- {{ printf "--log=%s" .Values.log | quote }}
{{- range .Values.extraArgs }}
- {{ . | quote }}
{{- end }}
{{- end }}

{{/* Whether the built-in gateway can hold requests in the clear, as those of pods come. */}}
{{- define "provost.hasActivator" -}}
{{- if and .Values.inferenceServices .Values.builtInGateway.enabled (not .Values.builtInGateway.tlsSecret) }}true{{ end }}
{{- end }}

{{/* The ConfigMaps with further model servers, of which the release's own counts before the others. */}}
{{- define "provost.modelServerArguments" }}
{{- range .Values.modelServerConfigs }}
- --model-servers={{ . }}
{{- end }}
{{- if .Values.modelServers }}
- --model-servers={{ .Release.Namespace }}/{{ include "provost.modelServersName" . }}
{{- end }}
{{- end }}
