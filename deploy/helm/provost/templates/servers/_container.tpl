{{/* The container of a server; given it, and further variables as `env`. */}}
{{- define "provost.serverContainer" -}}
{{- $scheme := ternary "HTTPS" "HTTP" (ne .values.tlsSecret "") -}}
- name: {{ .role }}
  image: {{ include "provost.image" .root | quote }}
  imagePullPolicy: {{ .root.Values.image.pullPolicy }}
  args:
    - serve
    - --roles={{ .role }}
    - --data-dir=/data
    - --listen=0.0.0.0:8000
    {{- range .root.Values.watchNamespaces }}
    - --watch-namespace={{ . }}
    {{- end }}
    {{- if .root.Values.inferenceServices }}
    - --inference-services
    {{- end }}
    {{- include "provost.modelServerArguments" .root | nindent 4 }}
  env:
    {{- with .env }}
    {{- . | nindent 4 }}
    {{- end }}
    - name: PROVOST_TELEMETRY__LOG_FILTER
      value: {{ .root.Values.log | quote }}
    {{- if .values.tlsSecret }}
    - name: PROVOST_SERVER__TLS_CERTIFICATE
      value: /tls/tls.crt
    - name: PROVOST_SERVER__TLS_KEY
      value: /tls/tls.key
    {{- end }}
    {{- with .values.extraEnv }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- with .envFrom }}
  envFrom:
    {{- . | nindent 4 }}
  {{- end }}
  ports:
    - name: http
      containerPort: 8000
      protocol: TCP
  startupProbe:
    httpGet:
      path: /-/live
      port: http
      scheme: {{ $scheme }}
    periodSeconds: 1
    failureThreshold: 60
  livenessProbe:
    httpGet:
      path: /-/live
      port: http
      scheme: {{ $scheme }}
    periodSeconds: 10
    timeoutSeconds: 5
    failureThreshold: 3
  # Ready once it knows all deployments.
  readinessProbe:
    httpGet:
      path: /-/ready
      port: http
      scheme: {{ $scheme }}
    periodSeconds: 5
    timeoutSeconds: 5
    failureThreshold: 3
  # Those who send requests here learn of its end meanwhile.
  lifecycle:
    preStop:
      sleep:
        seconds: 5
  {{- with .values.resources }}
  resources:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .root.Values.securityContext }}
  securityContext:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  volumeMounts:
    - name: data
      mountPath: /data
    {{- if .values.tlsSecret }}
    - name: tls
      mountPath: /tls
      readOnly: true
    {{- end }}
{{- end }}
