/** What a pod needs of the API: nothing that a node may make up by itself, as it does with mirror pods. */
import type { core } from '../../api/index.ts'
import { referencesOf } from '../authz/pod-references.ts'

/** Volumes that are there without the API. */
const freeVolumes = new Set([
  'awsElasticBlockStore', 'azureDisk', 'cephfs', 'cinder', 'downwardAPI', 'emptyDir', 'fc', 'flexVolume', 'flocker', 'gcePersistentDisk', 'gitRepo', 'hostPath', 'image', 'iscsi', 'nfs',
  'photonPersistentDisk', 'portworxVolume', 'quobyte', 'rbd', 'scaleIO', 'storageos', 'vsphereVolume',
])

const volumes: Readonly<Record<string, string>> = {
  configMap: 'configmaps (via configmap volumes)', secret: 'secrets (via secret volumes)', csi: 'csidrivers (via CSI volumes)', glusterfs: 'endpoints (via glusterFS volumes)',
  persistentVolumeClaim: 'persistentvolumeclaims', ephemeral: 'persistentvolumeclaims (via ephemeral volumes)', azureFile: 'secrets (via azureFile volumes)',
}

const projections: Readonly<Record<string, string>> = {
  configMap: 'configmaps (via projected volumes)', secret: 'secrets (via projected volumes)', serviceAccountToken: 'serviceaccounts (via projected volumes)',
  clusterTrustBundle: 'clustertrustbundles', podCertificate: 'podcertificates',
}

/** The names of the fields that say something. */
const said = (source: object): readonly string[] => Object.entries(source).flatMap(([key, value]) => (value !== null && typeof value === 'object' ? [key] : []))

function inVolume({ name, ...source }: core.Volume): string | undefined {
  const [kind] = said(source)
  // Without a source it is an empty directory.
  if (kind === undefined || freeVolumes.has(kind)) return undefined
  if (kind !== 'projected') return volumes[kind] ?? `an unknown type of volume (${name})`
  for (const part of source.projected?.sources ?? []) {
    const [projection = ''] = said(part)
    if (projection !== 'downwardAPI') return projections[projection] ?? `an unknown source of a projected volume (${name})`
  }
  return undefined
}

/** The resource that the pod refers to, in Kubernetes's words; undefined when there is none. */
export function apiReferenceOf(pod: core.Pod): string | undefined {
  const { secrets, configMaps } = referencesOf(pod)
  if (pod.spec.serviceAccountName) return 'serviceaccounts'
  if (secrets.length > 0) return 'secrets'
  if (configMaps.length > 0) return 'configmaps'
  if (pod.spec.resourceClaims?.length) return 'resourceclaims'
  for (const volume of pod.spec.volumes ?? []) {
    const found = inVolume(volume)
    if (found !== undefined) return found
  }
  return undefined
}
