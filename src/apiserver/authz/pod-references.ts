/** The secrets, config maps, claims and resource claims that a pod references, and its node may read. */
import type { core } from '../../api/index.ts'

export interface PodReferences {
  readonly secrets: readonly string[]
  readonly configMaps: readonly string[]
  readonly claims: readonly string[]
  readonly resourceClaims: readonly string[]
}

const known = new WeakMap<core.Pod, PodReferences>()

/** By name, all in the pod's own namespace. Computed once per pod object. */
export function referencesOf(pod: core.Pod): PodReferences {
  let references = known.get(pod)
  if (!references) known.set(pod, (references = collect(pod)))
  return references
}

function collect(pod: core.Pod): PodReferences {
  const secrets = new Set<string>()
  const configMaps = new Set<string>()
  const claims = new Set<string>()
  const add = (set: Set<string>, name: string | undefined) => name && set.add(name)
  for (const secret of pod.spec.imagePullSecrets ?? []) add(secrets, secret.name)
  for (const container of [...pod.spec.containers, ...(pod.spec.initContainers ?? []), ...(pod.spec.ephemeralContainers ?? [])]) {
    for (const source of container.envFrom ?? []) {
      add(configMaps, source.configMapRef?.name)
      add(secrets, source.secretRef?.name)
    }
    for (const { valueFrom } of container.env ?? []) {
      add(configMaps, valueFrom?.configMapKeyRef?.name)
      add(secrets, valueFrom?.secretKeyRef?.name)
    }
  }
  for (const volume of pod.spec.volumes ?? []) {
    add(secrets, volume.secret?.secretName)
    add(configMaps, volume.configMap?.name)
    add(claims, volume.persistentVolumeClaim?.claimName)
    if (volume.ephemeral) claims.add(`${pod.metadata.name}-${volume.name}`)
    for (const source of volume.projected?.sources ?? []) {
      add(secrets, source.secret?.name)
      add(configMaps, source.configMap?.name)
    }
    for (const secret of [volume.csi?.nodePublishSecretRef, volume.iscsi?.secretRef, volume.cephfs?.secretRef, volume.cinder?.secretRef, volume.flexVolume?.secretRef, volume.rbd?.secretRef, volume.scaleIO?.secretRef, volume.storageos?.secretRef]) add(secrets, secret?.name)
    add(secrets, volume.azureFile?.secretName)
  }
  return { secrets: [...secrets], configMaps: [...configMaps], claims: [...claims], resourceClaims: [...resourceClaimsOf(pod)] }
}

/** Those that are named outright, those that were made from templates, and the one for extended resources. */
function resourceClaimsOf({ spec, status }: core.Pod): ReadonlySet<string> {
  const made = new Map(status?.resourceClaimStatuses?.map(({ name, resourceClaimName }) => [name, resourceClaimName]))
  const names = (spec.resourceClaims ?? []).map(({ name, resourceClaimName, resourceClaimTemplateName }) => resourceClaimName ?? (resourceClaimTemplateName ? made.get(name) : undefined))
  return new Set([...names, status?.extendedResourceClaimStatus?.resourceClaimName].filter((name): name is string => Boolean(name)))
}
