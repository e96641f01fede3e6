# Licences

What is linked into `ebb`, and under which licence. Written by `task licences`; `.ci/run licences` holds it against the code, and refuses
a licence that its list does not allow.

| library | licence |
|---|---|
{{range .}}| `{{.Name}}` | {{.LicenseName}} |
{{end}}
