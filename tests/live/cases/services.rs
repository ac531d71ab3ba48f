//! Services of all shapes.

use super::case::Case;

const SERVICES: &str = r#"
{apiVersion: v1, kind: Service, metadata: {name: none}, spec: {clusterIP: None, selector: {app: "{{ .Values.value }}"}, ports: [{port: 80}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: empty}, spec: {clusterIP: "", ports: [{port: 80, targetPort: http}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: nothing}, spec: {clusterIP: null, ports: [{port: 80}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: node}, spec: {type: NodePort, ports: [{name: a, port: 80, nodePort: 31234}, {name: b, port: 81}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: families}, spec: {ipFamilies: [IPv4], ipFamilyPolicy: SingleStack, ports: [{port: 80}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: dns}, spec: {ports: [{name: udp, port: 53, protocol: UDP}, {name: tcp, port: 53, protocol: TCP}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: outside}, spec: {type: ExternalName, externalName: example.com}}
---
{apiVersion: v1, kind: Service, metadata: {name: balanced}, spec: {type: LoadBalancer, externalTrafficPolicy: Local, ports: [{port: 80}]}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web}
spec: {rules: [{host: "{{ .Values.value }}.example.com", http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: none, port: {number: 80}}}}]}}]}
"#;

pub const CASES: &[Case] = &[Case::new("net-services", SERVICES)];
