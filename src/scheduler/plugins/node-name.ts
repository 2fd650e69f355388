import { refuseForGood } from '../plugin.ts'
import type { Plugin } from '../plugin.ts'

/** A pod that names its node fits there only. */
export const nodeName: Plugin = {
  name: 'NodeName',
  wakes: ['node added'],
  filter({ pod }) {
    const wanted = pod.spec.nodeName
    if (!wanted) return undefined
    return (node) => (node.name === wanted ? undefined : refuseForGood('NodeName', "node(s) didn't match the requested node name"))
  },
}
