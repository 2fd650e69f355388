import type { core } from '../../api/index.ts'
import { refuseForGood } from '../plugin.ts'
import type { Cluster, Plugin } from '../plugin.ts'

const name = 'VolumeZone'
/** Labels of nodes and volumes that say where they are, and what the older ones are called now. */
const places: Readonly<Record<string, string>> = {
  'failure-domain.beta.kubernetes.io/zone': 'topology.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region': 'topology.kubernetes.io/region',
  'topology.kubernetes.io/zone': 'topology.kubernetes.io/zone',
  'topology.kubernetes.io/region': 'topology.kubernetes.io/region',
}

interface Place { readonly key: string; readonly values: ReadonlySet<string> }

/** Where a volume says it is; one that spans zones names them all: `x__y`. A label with an empty name in it says nothing. */
function placesOf({ metadata }: core.PersistentVolume): Place[] {
  return Object.keys(places).flatMap((key) => {
    const names = metadata.labels?.[key]?.split('__').map((value) => value.trim())
    return names?.every(Boolean) ? [{ key, values: new Set(names) }] : []
  })
}

function boundVolumes(pod: core.Pod, cluster: Cluster): core.PersistentVolume[] {
  const claims = (pod.spec.volumes ?? []).flatMap((v) => (v.persistentVolumeClaim ? [cluster.claim(`${pod.metadata.namespace}/${v.persistentVolumeClaim.claimName}`)] : []))
  return claims.flatMap((claim) => (claim?.spec.volumeName ? (cluster.volume(claim.spec.volumeName) ?? []) : []))
}

/** A volume that is labelled with its zone or region can be used there only. Nodes without such labels are in a cluster of one zone. */
export const volumeZone: Plugin = {
  name,
  wakes: ['node added', 'node labels', 'claim', 'volume', 'storage class'],
  filter({ pod }, cluster) {
    const wanted = boundVolumes(pod, cluster).flatMap(placesOf)
    if (!wanted.length) return undefined
    return ({ node }) => {
      const labels = node.metadata.labels ?? {}
      if (!Object.keys(places).some((key) => labels[key] !== undefined)) return undefined
      const there = wanted.every(({ key, values }) => values.has(labels[key] ?? labels[places[key]!] ?? ''))
      return there ? undefined : refuseForGood(name, 'node(s) had no available volume zone')
    }
  },
}
