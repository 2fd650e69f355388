/** A pod that gets a node gets the node's zone and region as labels too, where the downward API can show them to its containers. */
import { core } from '../../../api/index.ts'
import type { ApiObject } from '../../../client/client.ts'
import type { Lister } from '../../options.ts'
import type { AdmissionPlugin } from '../admission.ts'

const topology = ['topology.kubernetes.io/zone', 'topology.kubernetes.io/region'] as const

interface Environment { lister(resource: typeof core.nodes): Lister<core.Node> }

export function podTopologyLabels(env: Environment): AdmissionPlugin {
  const nodes = env.lister(core.nodes)
  /** The object with what the node says; the same one when the node is unknown or says nothing. */
  const labelled = (object: ApiObject, nodeName: string): ApiObject => {
    const known = nodes.get('', nodeName)?.metadata.labels
    const given = topology.flatMap((key) => (known?.[key] === undefined ? [] : [[key, known[key]] as const]))
    if (given.length === 0) return object
    return { ...object, metadata: { ...object.metadata, labels: { ...object.metadata.labels, ...Object.fromEntries(given) } } }
  }
  return {
    name: 'PodTopologyLabels',
    handles: (a) => a.operation === 'CREATE' && a.resource.groupResource === 'pods' && (a.subresource === 'binding' || a.subresource === ''),
    mutate(a) {
      const nodeName = a.subresource === 'binding' ? (a.object as unknown as core.Binding).target.name : (a.object as unknown as core.Pod).spec.nodeName
      return nodeName ? labelled(a.object as ApiObject, nodeName) : (a.object as ApiObject)
    },
  }
}
