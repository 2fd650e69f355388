/** The network of a node: pod network, service proxy, cluster DNS. See README.md. */
export { startNetwork, type Network, type NetworkOptions } from './network.ts'
export { removeNetwork, type RemoveNetworkOptions } from './remove.ts'
