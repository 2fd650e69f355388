{{- define "web.name" -}}
{{ .Release.Name | trunc 40 | trimSuffix "-" }}
{{- end }}

{{- define "web.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "web.labels" -}}
{{ include "web.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "web.pod-security" -}}
runAsNonRoot: true
runAsUser: 1000
seccompProfile: { type: RuntimeDefault }
{{- end }}

{{- /* The password that is there, or a new one. */ -}}
{{- define "web.password" -}}
{{- $old := lookup "v1" "Secret" .Release.Namespace (include "web.name" .) -}}
{{- if $old }}{{ index $old.data "password" }}{{ else }}{{ randAlphaNum 20 | b64enc }}{{ end -}}
{{- end }}
