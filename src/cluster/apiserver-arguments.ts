/**
 * What a user may tell the API server: kube-apiserver's own flags, with the same names and file formats.
 * `skiff up --kube-apiserver-arg audit-policy-file=policy.yaml`. They are remembered in the cluster's settings.
 */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { UserError } from './user-error.ts'

/** How an argument's text is read. Lists are comma-separated, durations are Go's (`90s`, `2m`). */
export type ArgumentKind = 'text' | 'file' | 'number' | 'decimal' | 'boolean' | 'duration' | 'list' | 'files'

const auditBatches = (backend: string): Readonly<Record<string, ArgumentKind>> => ({
  [`audit-${backend}-mode`]: 'text',
  [`audit-${backend}-batch-buffer-size`]: 'number',
  [`audit-${backend}-batch-max-size`]: 'number',
  [`audit-${backend}-batch-max-wait`]: 'duration',
  [`audit-${backend}-batch-throttle-enable`]: 'boolean',
  [`audit-${backend}-batch-throttle-qps`]: 'decimal',
  [`audit-${backend}-batch-throttle-burst`]: 'number',
  [`audit-${backend}-truncate-enabled`]: 'boolean',
  [`audit-${backend}-truncate-max-event-size`]: 'number',
  [`audit-${backend}-truncate-max-batch-size`]: 'number',
})

const authenticationFlags: Readonly<Record<string, ArgumentKind>> = {
  'anonymous-auth': 'boolean',
  'api-audiences': 'list',
  'authentication-config': 'file',
  'authentication-token-webhook-cache-ttl': 'duration',
  'authentication-token-webhook-config-file': 'file',
  'authentication-token-webhook-version': 'text',
  'client-ca-file': 'file',
  'oidc-ca-file': 'file',
  'oidc-client-id': 'text',
  'oidc-groups-claim': 'text',
  'oidc-groups-prefix': 'text',
  'oidc-issuer-url': 'text',
  'oidc-required-claim': 'list',
  'oidc-signing-algs': 'list',
  'oidc-username-claim': 'text',
  'oidc-username-prefix': 'text',
  'requestheader-allowed-names': 'list',
  'requestheader-client-ca-file': 'file',
  'requestheader-extra-headers-prefix': 'list',
  'requestheader-group-headers': 'list',
  'requestheader-uid-headers': 'list',
  'requestheader-username-headers': 'list',
  'service-account-extend-token-expiration': 'boolean',
  'service-account-issuer': 'list',
  'service-account-jwks-uri': 'text',
  'service-account-key-file': 'files',
  'service-account-max-token-expiration': 'duration',
  'service-account-signing-key-file': 'file',
  'token-auth-file': 'file',
}
const authorizationFlags: Readonly<Record<string, ArgumentKind>> = {
  'authorization-config': 'file',
  'authorization-mode': 'list',
  'authorization-webhook-cache-authorized-ttl': 'duration',
  'authorization-webhook-cache-unauthorized-ttl': 'duration',
  'authorization-webhook-config-file': 'file',
  'authorization-webhook-version': 'text',
}

/** Every known flag, and how its text is read. Others are refused: an option that does nothing would be a lie. */
export const knownArguments: Readonly<Record<string, ArgumentKind>> = {
  ...authenticationFlags,
  ...authorizationFlags,
  'admission-control-config-file': 'file',
  'disable-admission-plugins': 'list',
  'enable-admission-plugins': 'list',
  'encryption-provider-config': 'file',
  'encryption-provider-config-automatic-reload': 'boolean',
  'audit-policy-file': 'file',
  'audit-log-path': 'file',
  'audit-log-format': 'text',
  'audit-log-maxsize': 'number',
  'audit-log-maxage': 'number',
  'audit-log-maxbackup': 'number',
  'audit-log-compress': 'boolean',
  ...auditBatches('log'),
  'audit-webhook-config-file': 'file',
  'audit-webhook-initial-backoff': 'duration',
  ...auditBatches('webhook'),
  'enable-priority-and-fairness': 'boolean',
  'max-requests-inflight': 'number',
  'max-mutating-requests-inflight': 'number',
  'shutdown-delay-duration': 'duration',
  'request-timeout': 'duration',
  'min-request-timeout': 'number',
  'http2-max-streams-per-connection': 'number',
  'goaway-chance': 'text',
}

/** By name, validated; files by absolute path. */
export type ApiServerArguments = Readonly<Record<string, string>>

/** How Go's flags write them. */
const booleans: ReadonlyMap<string, boolean> = new Map([
  ...['1', 't', 'T', 'true', 'TRUE', 'True'].map((text) => [text, true] as const), ...['0', 'f', 'F', 'false', 'FALSE', 'False'].map((text) => [text, false] as const),
])

const durationText = /^(0|(\d+(\.\d+)?(ms|s|m|h))+)$/
const forms: Readonly<Record<Exclude<ArgumentKind, 'text' | 'file' | 'list' | 'files'>, { readonly fits: (text: string) => boolean; readonly says: string }>> = {
  number: { fits: (text) => /^\d+$/.test(text), says: 'a whole number' },
  decimal: { fits: (text) => /^\d+(\.\d+)?$/.test(text), says: 'a number' },
  boolean: { fits: (text) => booleans.has(text), says: 'true or false' },
  duration: { fits: (text) => durationText.test(text), says: 'a duration such as 90s or 2m' },
}

/**
 * The arguments of a command line, each `name=value` (leading dashes are ignored). A name without a value, `name=`, is
 * kept as '' and clears what the cluster remembers. Throws `UserError` for unknown names and invalid values.
 */
export function parseArguments(given: readonly string[], known: Readonly<Record<string, ArgumentKind>> = knownArguments): ApiServerArguments {
  const result: Record<string, string> = {}
  for (const text of given) {
    const mark = text.indexOf('=')
    const name = (mark < 0 ? text : text.slice(0, mark)).replace(/^--?/, '')
    const value = mark < 0 ? 'true' : text.slice(mark + 1)
    if (!Object.hasOwn(known, name)) throw new UserError(`--kube-apiserver-arg ${name}: unknown flag; docs/cli.md lists the known ones`)
    const kind = known[name] as ArgumentKind
    if (mark < 0 && kind !== 'boolean') throw new UserError(`--kube-apiserver-arg ${name}: write ${name}=VALUE`)
    const form = kind === 'number' || kind === 'decimal' || kind === 'boolean' || kind === 'duration' ? forms[kind] : undefined
    if (value !== '' && form && !form.fits(value)) throw new UserError(`--kube-apiserver-arg ${name}: "${value}" is not ${form.says}`)
    result[name] = kind === 'boolean' && value !== '' ? String(booleans.get(value)) : pathsIn(kind, value)
  }
  return result
}

/** The value with absolute paths: what is remembered must be valid wherever the next command runs. */
function pathsIn(kind: ArgumentKind, value: string): string {
  if (value === '' || value === '-') return value
  if (kind === 'files') return value.split(',').filter((file) => file !== '').map((file) => resolve(file.trim())).join(',')
  return kind === 'file' ? resolve(value) : value
}

/** What the cluster remembers, updated by what is given now; undefined when nothing is left. */
export function mergeArguments(remembered: ApiServerArguments | undefined, given: ApiServerArguments | undefined): ApiServerArguments | undefined {
  const all = Object.fromEntries(Object.entries({ ...remembered, ...given }).filter(([, value]) => value !== ''))
  return Object.keys(all).length > 0 ? all : undefined
}

/** The text of the file that an argument names; undefined when the argument is not given. Throws `UserError` when it cannot be read. */
export function argumentFile(all: ApiServerArguments | undefined, name: string): string | undefined {
  const path = all?.[name]
  if (path === undefined) return undefined
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new UserError(`${name}: cannot read ${path}: ${(error as Error).message}`)
  }
}

/** An argument's value by its kind; undefined when it is not given. */
export const argumentNumber = (all: ApiServerArguments | undefined, name: string): number | undefined => (all?.[name] === undefined ? undefined : Number(all[name]))

export const argumentBoolean = (all: ApiServerArguments | undefined, name: string): boolean | undefined => (all?.[name] === undefined ? undefined : all[name] === 'true')

export const argumentList = (all: ApiServerArguments | undefined, name: string): readonly string[] | undefined => all?.[name]?.split(',').map((part) => part.trim()).filter((part) => part !== '')

const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** Milliseconds. */
export function argumentDuration(all: ApiServerArguments | undefined, name: string): number | undefined {
  const text = all?.[name]
  if (text === undefined) return undefined
  return [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)].reduce((sum, [, amount, unit]) => sum + Number(amount) * (units[unit as string] as number), 0)
}
