{{/* Values that are fine each, and wrong together. */}}
{{- define "provost.checks" -}}
{{- if and (gt (int .Values.replicas) 1) (not .Values.leaderElection.enabled) }}
{{- fail "replicas: more than one operator needs leaderElection.enabled" }}
{{- end }}
{{- if and .Values.metrics.serviceMonitor.enabled .Values.metrics.podMonitor.enabled }}
{{- fail "metrics: serviceMonitor and podMonitor would scrape the same pods twice; enable one" }}
{{- end }}
{{- if and .Values.ingressDomain (not (and .Values.gateway .Values.inferenceServices)) }}
{{- fail "ingressDomain: only InferenceServices have hosts, and only at a gateway; set gateway and inferenceServices too" }}
{{- end }}
{{- if and .Values.predictors.requestLog.secret (not .Values.predictors.requestLog.bucket) }}
{{- fail "predictors.requestLog: the secret gives access to a bucket; set the bucket too" }}
{{- end }}
{{- end }}
