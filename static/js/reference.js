// The API reference: Swagger UI from our own static files. "Try it out" is off, because the gateway
// answers on another origin; each operation shows a curl line instead.
const place = document.getElementById("reference");

function curlFor(method, path) {
  const base = place.dataset.base;
  const verb = method === "get" ? "" : ` -X ${method.toUpperCase()}`;
  return `curl${verb} -H "x-api-key: YOUR_KEY" "${base}${path}"`;
}

// A small Swagger UI plugin: puts the curl line under the operation's summary.
const CurlPlugin = (system) => ({
  wrapComponents: {
    parameters: (Original) => (props) => {
      const { createElement } = system.React;
      const [path, method] = props.pathMethod;
      return createElement("div", null,
        createElement("div", { className: "curl-snippet" },
          createElement("div", { className: "code" }, createElement("pre", { tabIndex: 0 }, curlFor(method, path)))),
        createElement(Original, props));
    },
  },
});

window.SwaggerUIBundle({
  url: place.dataset.document,
  domNode: place,
  deepLinking: true,
  filter: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  supportedSubmitMethods: [],
  validatorUrl: null,
  plugins: [CurlPlugin],
});
