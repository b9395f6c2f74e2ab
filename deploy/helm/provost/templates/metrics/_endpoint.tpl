{{/* What both monitors scrape; given one of them. */}}
{{- define "provost.metricsEndpoint" -}}
- port: http
  path: /metrics
  {{- with .interval }}
  interval: {{ . }}
  {{- end }}
  {{- with .scrapeTimeout }}
  scrapeTimeout: {{ . }}
  {{- end }}
{{- end }}

{{/* Labels of a monitor; given it and the root. The chart's win. */}}
{{- define "provost.monitorLabels" -}}
{{- merge (fromYaml (include "provost.labels" .root)) .monitor.labels | toYaml }}
{{- end }}
