import { refuse } from '../plugin.ts'
import type { Plugin } from '../plugin.ts'

const name = 'NodePorts'
const anywhere = '0.0.0.0'

/** Host ports can be had once per node, protocol and address; `0.0.0.0` is every address. */
export const nodePorts: Plugin = {
  name,
  wakes: ['node added', 'pod deleted'],
  filter({ ports }) {
    if (!ports.length) return undefined
    return (node) => {
      const taken = ports.some(({ protocol, port, ip }) =>
        (node.ports.get(`${protocol}/${port}`) ?? []).some((used) => used === ip || used === anywhere || ip === anywhere))
      return taken ? refuse(name, "node(s) didn't have free ports for the requested pod ports") : undefined
    }
  },
}
