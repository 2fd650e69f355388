/**
 * `kubernetes.io/enforce-mountable-secrets` on a service account: its pods use no secrets but those that the account names. (Deprecated in
 * Kubernetes, and kept there: namespaces of their own are the better way.)
 */
import type { core } from '../../api/index.ts'

const annotation = 'kubernetes.io/enforce-mountable-secrets'
const truths: ReadonlySet<string | undefined> = new Set(['1', 't', 'T', 'true', 'TRUE', 'True'])

/** Whether the account's pods may use only the secrets that it names. */
export const enforcesSecrets = ({ metadata }: core.ServiceAccount): boolean => truths.has(metadata.annotations?.[annotation])

type Container = Pick<core.Container, 'name' | 'env' | 'envFrom'>
const lists = [['init container', 'initContainers'], ['container', 'containers'], ['ephemeral container', 'ephemeralContainers']] as const

/** The first secret of a container that the account does not name: in which words it is used, and what it is called. */
function foreign(kind: string, { name, env = [], envFrom = [] }: Container, own: ReadonlySet<string>): readonly [how: string, secret: string] | undefined {
  for (const one of env) {
    const secret = one.valueFrom?.secretKeyRef
    if (secret && !own.has(secret.name ?? '')) return [`${kind} ${name} with envVar ${one.name} referencing`, secret.name ?? '']
  }
  for (const { secretRef } of envFrom) if (secretRef && !own.has(secretRef.name ?? '')) return [`${kind} ${name} with envFrom referencing`, secretRef.name ?? '']
  return undefined
}

const refusal = (how: string, secret: string, { metadata: { name = '' } }: core.ServiceAccount): string =>
  `${how} secret.secretName="${secret}" is not allowed because service account ${name} does not reference that secret`

/** Why containers that are added to a running pod may not be; what the pod has already is not asked about. */
export function ephemeralSecretRefusal({ spec }: core.Pod, account: core.ServiceAccount): string | undefined {
  return containersRefusal(spec, [lists[2]], account)
}

function containersRefusal(spec: core.PodSpec, of: readonly (typeof lists)[number][], account: core.ServiceAccount): string | undefined {
  const own = new Set((account.secrets ?? []).map((secret) => secret.name ?? ''))
  for (const [kind, list] of of) {
    for (const container of spec[list] ?? []) {
      const found = foreign(kind, container, own)
      if (found) return refusal(...found, account)
    }
  }
  return undefined
}

/** Why the pod may not run under the account; undefined when it may. */
export function secretRefusal({ spec }: core.Pod, account: core.ServiceAccount): string | undefined {
  const { metadata: { name = '' }, secrets = [], imagePullSecrets = [] } = account
  const own = new Set(secrets.map((secret) => secret.name ?? ''))
  for (const { secret } of spec.volumes ?? []) if (secret && !own.has(secret.secretName ?? '')) return refusal('volume with', secret.secretName ?? '', account)
  const why = containersRefusal(spec, lists, account)
  if (why !== undefined) return why
  const pulls = new Set(imagePullSecrets.map((secret) => secret.name))
  const at = (spec.imagePullSecrets ?? []).findIndex((secret) => !pulls.has(secret.name))
  return at < 0 ? undefined : `imagePullSecrets[${at}].name="${spec.imagePullSecrets![at]!.name}" is not allowed because service account ${name} does not reference that imagePullSecret`
}
