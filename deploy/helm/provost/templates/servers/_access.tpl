{{/* The Service and the account of a server. */}}
{{- define "provost.serverService" -}}
apiVersion: v1
kind: Service
metadata:
  name: {{ include "provost.serverName" . }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "provost.serverLabels" . | nindent 4 }}
  {{- with .values.service.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  type: {{ .values.service.type }}
  selector:
    {{- include "provost.serverSelectorLabels" . | nindent 4 }}
  ports:
    - name: http
      port: {{ .values.service.port }}
      targetPort: http
      protocol: TCP
---
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ include "provost.serverName" . }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "provost.serverLabels" . | nindent 4 }}
# Only the server's pods mount the token, and they say so.
automountServiceAccountToken: false
{{- end }}

{{/*
What the account of a server may do: where every namespace is watched by a ClusterRole, else by a Role in each of those
that are. Given its rules in a namespace as `rules`, and those of the whole cluster as `clusterRules`.
*/}}
{{- define "provost.serverRoles" -}}
{{- if not .root.Values.watchNamespaces }}
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: {{ include "provost.serverClusterName" . }}
  labels:
    {{- include "provost.serverLabels" . | nindent 4 }}
rules:
  {{- .rules | nindent 2 }}
  {{- with .clusterRules }}
  {{- . | nindent 2 }}
  {{- end }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: {{ include "provost.serverClusterName" . }}
  labels:
    {{- include "provost.serverLabels" . | nindent 4 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: {{ include "provost.serverClusterName" . }}
subjects:
  {{- include "provost.serverSubjects" . | nindent 2 }}
{{- end }}
{{- range $namespace := .root.Values.watchNamespaces }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: {{ include "provost.serverClusterName" $ }}
  namespace: {{ $namespace }}
  labels:
    {{- include "provost.serverLabels" $ | nindent 4 }}
rules:
  {{- $.rules | nindent 2 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: {{ include "provost.serverClusterName" $ }}
  namespace: {{ $namespace }}
  labels:
    {{- include "provost.serverLabels" $ | nindent 4 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: {{ include "provost.serverClusterName" $ }}
subjects:
  {{- include "provost.serverSubjects" $ | nindent 2 }}
{{- end }}
{{- end }}

{{- define "provost.serverSubjects" -}}
- kind: ServiceAccount
  name: {{ include "provost.serverName" . }}
  namespace: {{ .root.Release.Namespace }}
{{- end }}
