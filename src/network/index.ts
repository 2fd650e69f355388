/** The network of a node: pod network, service proxy, network policies, cluster DNS; and the cluster's load balancer. See README.md. */
export { startNetwork, type Network, type NetworkOptions } from './network.ts'
export { removeNetwork, type RemoveNetworkOptions } from './remove.ts'
export { startLoadBalancer, type LoadBalancerOptions } from './loadbalancer/load-balancer.ts'
