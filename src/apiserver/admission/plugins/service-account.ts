/** Every pod runs as a service account of its namespace, with the account's pull secrets and a token mounted that dies with the pod. */
import { core } from '../../../api/index.ts'
import { isNotFound } from '../../../machinery/errors.ts'
import { deepFreeze, randomSuffix } from '../../../machinery/meta.ts'
import type { ServerEnvironment } from '../../options.ts'
import { referencesOf } from '../../authz/pod-references.ts'
import type { AdmissionAttributes, AdmissionPlugin } from '../admission.ts'
import { enforcesSecrets, ephemeralSecretRefusal, secretRefusal } from '../mountable-secrets.ts'
import { createsPod, isMirrorPod, podOf, refused, withSpec } from '../pods.ts'

const tokenPath = '/var/run/secrets/kubernetes.io/serviceaccount'
/** How long, and how often, the default account of a namespace is waited for: its controller may not have made it yet. */
const attempts = 10
const interval = 100
/** An hour and a little, so that a kubelet that refreshes at 80 % does so well within it. */
const tokenSeconds = 3607

export interface ServiceAccountOptions {
  /** Mount a token into pods that do not say no to it. */
  readonly mountTokens: boolean
}

export function serviceAccount(env: Pick<ServerEnvironment, 'lister' | 'client' | 'clock'>, options: ServiceAccountOptions): AdmissionPlugin {
  const accounts = env.lister(core.serviceaccounts)

  /** An account that the cache does not know yet. */
  async function find(a: AdmissionAttributes, name: string): Promise<core.ServiceAccount> {
    const waits = name === 'default' ? attempts : 0
    for (let attempt = 1; attempt < waits; attempt++) {
      await env.clock.sleep(interval)
      const account = accounts.get(a.namespace, name)
      if (account) return account
    }
    try {
      return await env.client.get(core.serviceaccounts, name, { namespace: a.namespace })
    } catch (error) {
      if (isNotFound(error)) throw refused(a, `error looking up service account ${a.namespace}/${name}: serviceaccount "${name}" not found`)
      throw error
    }
  }

  /** The pod as it runs under the account. */
  function running(pod: core.Pod, name: string, account: core.ServiceAccount): core.Pod {
    const secrets = account.imagePullSecrets ?? []
    return withSpec(pod, {
      serviceAccountName: name,
      serviceAccount: name,
      ...(options.mountTokens && wantsToken(account, pod) ? tokenMounts(pod) : undefined),
      ...(pod.spec.imagePullSecrets?.length || secrets.length === 0 ? undefined : { imagePullSecrets: secrets }),
    })
  }

  /** A webhook may have changed the account, or what is used, after `mutate`. */
  function checkAccount(a: AdmissionAttributes, pod: core.Pod): Promise<void> | void {
    const name = pod.spec.serviceAccountName
    if (!name) throw refused(a, `no service account specified for pod ${a.namespace}/${pod.metadata.name ?? ''}`)
    const check = (account: core.ServiceAccount): void => {
      const why = enforcesSecrets(account) ? (addsContainers(a) ? ephemeralSecretRefusal : secretRefusal)(pod, account) : undefined
      if (why !== undefined) throw refused(a, why)
    }
    const account = accounts.get(a.namespace, name)
    return account ? check(account) : find(a, name).then(check)
  }

  return {
    name: 'ServiceAccount',
    handles: (a) => createsPod(a) || addsContainers(a),
    mutate(a) {
      const pod = podOf(a)
      if (addsContainers(a) || isMirrorPod(pod)) return pod
      const name = pod.spec.serviceAccountName || 'default'
      const account = accounts.get(a.namespace, name)
      return account ? running(pod, name, account) : find(a, name).then((found) => running(pod, name, found))
    },
    validate(a) {
      const pod = podOf(a)
      if (addsContainers(a) || !isMirrorPod(pod)) return checkAccount(a, pod)
      if (pod.spec.serviceAccountName) throw refused(a, 'a mirror pod may not reference service accounts')
      if (referencesOf(pod).secrets.length > 0) throw refused(a, 'a mirror pod may not reference secrets')
      if (pod.spec.volumes?.some((v) => v.projected?.sources?.some((s) => s.serviceAccountToken))) {
        throw refused(a, 'a mirror pod may not use ServiceAccountToken volume projections')
      }
    },
  }
}

/** Ephemeral containers are added. */
const addsContainers = (a: AdmissionAttributes): boolean => a.operation === 'UPDATE' && a.resource.groupResource === 'pods' && a.subresource === 'ephemeralcontainers'

const wantsToken = (account: core.ServiceAccount, pod: core.Pod): boolean =>
  pod.spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true

/** What the token's volume changes in the pod's spec: it is mounted in every container that has nothing at its path. */
function tokenMounts(pod: core.Pod): Partial<core.PodSpec> {
  const existing = pod.spec.volumes?.find((v) => v.name.startsWith('kube-api-access-'))
  const name = existing?.name ?? `kube-api-access-${randomSuffix(5)}`
  let used = false
  const mount = <C extends core.Container>(container: C): C => {
    if (container.volumeMounts?.some((m) => m.mountPath === tokenPath)) return container
    used = true
    return { ...container, volumeMounts: [...(container.volumeMounts ?? []), { name, readOnly: true, mountPath: tokenPath }] }
  }
  const containers = pod.spec.containers.map(mount)
  const initContainers = pod.spec.initContainers?.map(mount)
  if (!used) return {}
  return {
    containers,
    ...(initContainers ? { initContainers } : {}),
    ...(existing ? {} : { volumes: [...(pod.spec.volumes ?? []), tokenVolume(name)] }),
  }
}

/** The same for all pods: a token of the pod's own, the cluster's authority, the name of the namespace. */
const tokenSources: core.ProjectedVolumeSource = deepFreeze({
  sources: [
    { serviceAccountToken: { expirationSeconds: tokenSeconds, path: 'token' } },
    { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
    { downwardAPI: { items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }] } },
  ],
  defaultMode: 0o644,
})

const tokenVolume = (name: string): core.Volume => ({ name, projected: tokenSources })
