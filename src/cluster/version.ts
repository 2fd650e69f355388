/** Skiff's own version; the API is that of Kubernetes v1.36. */
export const version = '0.1.0'
