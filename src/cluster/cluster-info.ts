/** The ConfigMap in which the control plane writes down what nodes must know. */
export const clusterInfo = { namespace: 'kube-system', name: 'skiff-cluster' } as const
