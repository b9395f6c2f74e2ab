{{/*
What the operator asks of the API server in a namespace that it watches. Objects are server-side applied without reading
them first: `patch` changes one, `create` lets the patch make it. Only service accounts and Secrets are read by name.
*/}}
{{- define "provost.rules" -}}
- apiGroups: [machinelearning.seldon.io]
  resources: [seldondeployments]
  verbs: [list, watch]
- apiGroups: [machinelearning.seldon.io]
  resources: [seldondeployments/status]
  verbs: [patch]
# What is made names its SeldonDeployment as an owner that waits for it (`blockOwnerDeletion`). Clusters that enforce
# permissions of owner references, as OpenShift does, ask for this.
- apiGroups: [machinelearning.seldon.io]
  resources: [seldondeployments/finalizers]
  verbs: [update]
{{- if .Values.inferenceServices }}
# The annotation that keeps what was rolled out is the resource's own.
- apiGroups: [serving.kserve.io, serving.kubeflow.org]
  resources: [inferenceservices]
  verbs: [list, patch, watch]
- apiGroups: [serving.kserve.io, serving.kubeflow.org]
  resources: [inferenceservices/status]
  verbs: [patch]
- apiGroups: [serving.kserve.io, serving.kubeflow.org]
  resources: [inferenceservices/finalizers]
  verbs: [update]
- apiGroups: [serving.kserve.io]
  resources: [inferencegraphs]
  verbs: [list, watch]
- apiGroups: [serving.kserve.io]
  resources: [inferencegraphs/status]
  verbs: [patch]
- apiGroups: [serving.kserve.io]
  resources: [inferencegraphs/finalizers]
  verbs: [update]
- apiGroups: [serving.kserve.io]
  resources: [servingruntimes]
  verbs: [list, watch]
# The route by hosts goes with `ingressDomain`.
- apiGroups: [gateway.networking.k8s.io]
  resources: [httproutes]
  verbs: [delete]
# What is scaled by requests is asked where it answers; what is scaled to none answers at the built-in gateway.
- apiGroups: [discovery.k8s.io]
  resources: [endpointslices]
  verbs: [{{ if include "provost.hasActivator" . }}create, delete, list, patch, watch{{ else }}list, watch{{ end }}]
{{- end }}
- apiGroups: [apps]
  resources: [deployments]
  verbs: [create, delete, list, patch, watch]
- apiGroups: [""]
  resources: [services]
  verbs: [create, delete, list, patch, watch]
- apiGroups: [autoscaling]
  resources: [horizontalpodautoscalers]
  verbs: [create, delete, list, patch, watch]
- apiGroups: [policy]
  resources: [poddisruptionbudgets]
  verbs: [create, delete, list, patch, watch]
{{- if .Values.gateway }}
- apiGroups: [gateway.networking.k8s.io]
  resources: [httproutes]
  verbs: [create, list, patch, watch]
{{- end }}
# Why pods do not start is told in the status.
- apiGroups: [""]
  resources: [pods]
  verbs: [list, watch]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- if .Values.predictors.serviceAccountSecrets }}
# Of Secrets that service accounts name, the operator keeps the names of keys and the annotations. Which those are, no rule
# can say beforehand.
- apiGroups: [""]
  resources: [serviceaccounts]
  verbs: [get]
- apiGroups: [""]
  resources: [secrets]
  verbs: [get]
{{- end }}
{{- end }}

{{/* The operator's service account, as a binding names it. */}}
{{- define "provost.subjects" -}}
- kind: ServiceAccount
  name: {{ include "provost.serviceAccountName" . }}
  namespace: {{ .Release.Namespace }}
{{- end }}

{{/* What a server asks of InferenceServices and InferenceGraphs; given the verbs. */}}
{{- define "provost.inferenceServiceRules" -}}
- apiGroups: [serving.kserve.io, serving.kubeflow.org]
  resources: [inferenceservices]
  verbs: [{{ . }}]
- apiGroups: [serving.kserve.io]
  resources: [inferencegraphs]
  verbs: [{{ . }}]
- apiGroups: [serving.kserve.io]
  resources: [servingruntimes]
  verbs: [list, watch]
{{- end }}

{{/* What a server that passes predictions on asks to wake what is scaled to none. */}}
{{- define "provost.wakeRules" -}}
- apiGroups: [discovery.k8s.io]
  resources: [endpointslices]
  verbs: [list, watch]
- apiGroups: [apps]
  resources: [deployments/scale]
  verbs: [get, patch]
{{- end }}

{{/* All who must know model servers by name. */}}
{{- define "provost.modelServerSubjects" -}}
{{- include "provost.subjects" . }}
{{- if .Values.controlPlane.enabled }}
{{ include "provost.serverSubjects" (dict "root" . "suffix" "console") }}
{{- end }}
{{- if .Values.builtInGateway.enabled }}
{{ include "provost.serverSubjects" (dict "root" . "suffix" "gateway") }}
{{- end }}
{{- end }}
