/** Kubeconfigs: where the cluster is, and who its client is. */
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { parse, stringify } from 'yaml'
import type { KeyPair } from './certificate.ts'
import { UserError } from './user-error.ts'

interface Named { readonly name: string; readonly [key: string]: unknown }

interface KubeConfig {
  readonly apiVersion: 'v1'
  readonly kind: 'Config'
  readonly preferences?: object
  readonly clusters: readonly Named[]
  readonly users: readonly Named[]
  readonly contexts: readonly Named[]
  readonly 'current-context': string
}

const base64 = (text: string) => Buffer.from(text).toString('base64')

const userOf = (user: KeyPair | { readonly token: string }) => ('token' in user ? user : { 'client-certificate-data': base64(user.cert), 'client-key-data': base64(user.key) })

/** The kubeconfig of one user of one cluster; cluster, user and context carry the cluster's name. */
export function kubeconfigOf(options: { readonly name: string; readonly server: string; readonly ca: string; readonly user: KeyPair | { readonly token: string } }): string {
  const { name } = options
  const config: KubeConfig = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster: { server: options.server, 'certificate-authority-data': base64(options.ca) } }],
    users: [{ name, user: userOf(options.user) }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    'current-context': name,
  }
  return stringify(config, { lineWidth: 0 })
}

/** Writes a kubeconfig atomically, readable by its owner only. */
export function writeKubeconfig(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  writeFileSync(`${file}.new`, text, { mode: 0o600 })
  chmodSync(`${file}.new`, 0o600)
  renameSync(`${file}.new`, file)
}

/** The user's own kubeconfig. */
export const userKubeconfig = (): string => join(homedir(), '.kube', 'config')

/** Merges the cluster of `text` into the kubeconfig `file`, and makes it the current context. */
export function mergeKubeconfig(file: string, text: string): void {
  const own = parse(text) as KubeConfig
  const there = readUserConfig(file)
  const join = (theirs: readonly Named[] | undefined | null, ours: readonly Named[]) => [...(theirs ?? []).filter((t) => !ours.some((o) => o.name === t.name)), ...ours]
  const merged = {
    ...there,
    apiVersion: 'v1',
    kind: 'Config',
    clusters: join(there.clusters, own.clusters),
    users: join(there.users, own.users),
    contexts: join(there.contexts, own.contexts),
    'current-context': own['current-context'],
  }
  writeKubeconfig(file, stringify(merged, { lineWidth: 0 }))
}

/** Replaces the user's credentials of `before` by those of `after`, where the kubeconfig `file` still has them; leaves everything else alone. */
export function renewMerged(file: string, before: string, after: string): void {
  const dataOf = (text: string) => (parse(text) as { readonly users: readonly { readonly user: Readonly<Record<string, string>> }[] }).users[0]?.user ?? {}
  const [old, next] = [dataOf(before), dataOf(after)]
  const there = existsSync(file) ? readFileSync(file, 'utf8') : ''
  const certificate = old['client-certificate-data']
  if (!certificate || !there.includes(certificate)) return
  writeKubeconfig(file, ['client-certificate-data', 'client-key-data'].reduce((text, name) => text.replaceAll(old[name] ?? '', next[name] ?? ''), there))
}

/** Removes the cluster called `name` from the kubeconfig `file`; removes the file when nothing is left in it. */
export function unmergeKubeconfig(file: string, name: string): void {
  if (!existsSync(file)) return
  const there = readUserConfig(file)
  const without = (list: readonly Named[] | undefined | null) => (list ?? []).filter((entry) => entry.name !== name)
  if (!there.contexts?.some((c) => c.name === name)) return
  const rest = { ...there, clusters: without(there.clusters), users: without(there.users), contexts: without(there.contexts) }
  if ([rest.clusters, rest.users, rest.contexts].every((list) => list.length === 0)) return rmSync(file)
  const current = there['current-context'] === name ? (rest.contexts[0]?.name ?? '') : there['current-context']
  writeKubeconfig(file, stringify({ ...rest, 'current-context': current }, { lineWidth: 0 }))
}

function readUserConfig(file: string): Partial<KubeConfig> {
  if (!existsSync(file)) return {}
  try {
    return (parse(readFileSync(file, 'utf8')) as Partial<KubeConfig> | null) ?? {}
  } catch {
    throw new UserError(`${file} is not valid YAML, so it was left alone; fix it, or use --no-merge`)
  }
}
