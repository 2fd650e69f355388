/** The node agent: what other rooms use of it. */
export { startNode } from './node.ts'
export { removeAllPods } from './remove.ts'
export { startContainerd, type Containerd, type ContainerdOptions } from './runtime/containerd.ts'
export { criDriver } from './runtime/cri.ts'
export { importImage, listImages } from './images/import.ts'
export type { NodeAgent, NodeAgentOptions } from './options.ts'
