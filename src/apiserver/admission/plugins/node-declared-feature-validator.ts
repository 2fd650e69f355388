/**
 * A running pod is changed only in ways that its node says it can follow. Otherwise a pod could say that it uses less than it does, and a quota
 * would believe it. Of the features that nodes declare only this one is about changes that reach a plugin: others are about what never changes.
 */
import { core } from '../../../api/index.ts'
import { deepEqual } from '../../../machinery/meta.ts'
import type { ServerEnvironment } from '../../options.ts'
import type { AdmissionPlugin } from '../admission.ts'
import { podOf, refused } from '../pods.ts'

/** What the pod as a whole may use changes while it runs. */
const wholePod = 'InPlacePodLevelResourcesVerticalScaling'

export function nodeDeclaredFeatureValidator(env: Pick<ServerEnvironment, 'lister'>): AdmissionPlugin {
  const nodes = env.lister(core.nodes)
  return {
    name: 'NodeDeclaredFeatureValidator',
    handles: (a) => a.operation === 'UPDATE' && a.resource.groupResource === 'pods' && (a.subresource === '' || a.subresource === 'resize'),
    validate(a) {
      const { nodeName, resources } = podOf(a).spec
      if (!nodeName || deepEqual(resources, (a.old as unknown as core.Pod).spec.resources)) return
      const node = nodes.get('', nodeName)
      if (!node) throw refused(a, `node ${JSON.stringify(nodeName)} not found`)
      if (!node.status.declaredFeatures?.includes(wholePod)) throw refused(a, `pod update requires features ${wholePod} which are not available on node ${JSON.stringify(nodeName)}`)
    },
  }
}
