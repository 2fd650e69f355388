/** Helm as a user of a cluster has it: its own home, a chart of the tests or one that is written on the spot. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { run } from './host.ts'
import type { Finished } from './host.ts'
import type { Helm } from './released.ts'

export const charts = join(import.meta.dirname, 'charts')

export interface HelmUser {
  /** Runs Helm; throws with what it said when it fails. */
  helm(...args: string[]): Promise<string>
  /** Runs Helm and says how it ended. */
  tryHelm(...args: string[]): Promise<Finished>
  /** Writes a chart of these files and returns its folder. Chart.yaml need not be among them. */
  chart(name: string, files: Readonly<Record<string, string>>): string
  /** A copy of a chart of the tests, to change or to add to; subcharts go into charts/. */
  copy(name: string, subcharts?: readonly string[]): string
  remove(): void
}

/** A user whose commands go to one namespace. `runs` runs programs where the cluster can be reached. */
export function helmUser(helm: Helm, options: { readonly kubeconfig: string; readonly namespace: string; readonly runs?: typeof run; readonly env?: Record<string, string> }): HelmUser {
  const home = mkdtempSync(join(tmpdir(), 'skiff-helm-'))
  const xdg = Object.fromEntries(['CACHE', 'CONFIG', 'DATA'].map((what) => [`HELM_${what}_HOME`, join(home, what.toLowerCase())]))
  const env = { HOME: home, ...xdg, KUBECONFIG: options.kubeconfig, HELM_NAMESPACE: options.namespace, ...options.env }
  const tryHelm = (...args: string[]) => (options.runs ?? run)(helm.path, args, { env })
  return {
    tryHelm,
    async helm(...args) {
      const { code, stdout, stderr } = await tryHelm(...args)
      if (code !== 0) throw new Error(`helm ${args.join(' ')}: ${stderr.trim()}`)
      return stdout
    },
    chart(name, files) {
      const folder = join(home, 'charts', name)
      const all = { 'Chart.yaml': `apiVersion: v2\nname: ${name}\nversion: 1.0.0\n`, ...files }
      for (const [file, text] of Object.entries(all)) {
        mkdirSync(dirname(join(folder, file)), { recursive: true })
        writeFileSync(join(folder, file), text)
      }
      return folder
    },
    copy(name, subcharts = []) {
      const folder = join(home, 'copies', name)
      cpSync(join(charts, name), folder, { recursive: true })
      for (const sub of subcharts) cpSync(join(charts, sub), join(folder, 'charts', sub), { recursive: true })
      return folder
    },
    remove: () => rmSync(home, { recursive: true, force: true }),
  }
}

/**
 * The operator of `operator.yaml` as a chart: the release's namespace instead of its own, and a certificate that the chart draws at the
 * first install and finds again afterwards.
 */
export function operatorChart(user: HelmUser): string {
  const objects = readFileSync(join(import.meta.dirname, 'operator.yaml'), 'utf8').split('\n---\n').filter((text) => !/^kind: Namespace$/m.test(text))
  const text = objects.join('\n---\n').replaceAll('site-system', '{{ .Release.Namespace }}').replaceAll('replicas: 2', 'replicas: {{ .Values.replicas }}')
    .replaceAll('tls.crt: CA_BUNDLE', 'ca.crt: {{ $tls.ca }}, tls.crt: {{ $tls.cert }}').replaceAll('TLS_KEY', '{{ $tls.key }}').replaceAll('CA_BUNDLE', '{{ $tls.ca }}')
  const drawn = `{{- $tls := dict }}
{{- $old := lookup "v1" "Secret" .Release.Namespace "site-operator-tls" }}
{{- if $old }}
{{- $tls = dict "ca" (index $old.data "ca.crt") "cert" (index $old.data "tls.crt") "key" (index $old.data "tls.key") }}
{{- else }}
{{- $name := printf "site-operator.%s.svc" .Release.Namespace }}
{{- $ca := genCA "site-operator-ca" 365 }}
{{- $cert := genSignedCert $name nil (list $name) 365 $ca }}
{{- $tls = dict "ca" ($ca.Cert | b64enc) "cert" ($cert.Cert | b64enc) "key" ($cert.Key | b64enc) }}
{{- end }}
`
  return user.chart('site-operator', { 'values.yaml': 'replicas: 2\n', 'templates/operator.yaml': drawn + text })
}
