{{/* The Deployment of a server; given what its container is given, and its `replicas`. */}}
{{- define "provost.serverDeployment" -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "provost.serverName" . }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "provost.serverLabels" . | nindent 4 }}
spec:
  replicas: {{ .replicas }}
  strategy:
    type: RollingUpdate
    rollingUpdate:
      maxUnavailable: 0
      maxSurge: 1
  selector:
    matchLabels:
      {{- include "provost.serverSelectorLabels" . | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "provost.serverPodLabels" . | nindent 8 }}
      {{- with .values.podAnnotations }}
      annotations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
    spec:
      serviceAccountName: {{ include "provost.serverName" . }}
      automountServiceAccountToken: true
      # Services of the namespace would else be variables `PROVOST_…`, which it reads as its configuration.
      enableServiceLinks: false
      {{- with .root.Values.imagePullSecrets }}
      imagePullSecrets:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with .root.Values.priorityClassName }}
      priorityClassName: {{ . }}
      {{- end }}
      {{- with .root.Values.podSecurityContext }}
      securityContext:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      containers:
        {{- include "provost.serverContainer" . | nindent 8 }}
      volumes:
        - name: data
          emptyDir: {}
        {{- with .values.tlsSecret }}
        - name: tls
          secret:
            secretName: {{ . }}
        {{- end }}
      topologySpreadConstraints:
        - maxSkew: 1
          topologyKey: kubernetes.io/hostname
          whenUnsatisfiable: ScheduleAnyway
          labelSelector:
            matchLabels:
              {{- include "provost.serverSelectorLabels" . | nindent 14 }}
      {{- with .root.Values.nodeSelector }}
      nodeSelector:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with .root.Values.tolerations }}
      tolerations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
{{- end }}
