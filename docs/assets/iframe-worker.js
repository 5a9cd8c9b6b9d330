// Search in pages that are opened as files, without a server.
//
// The theme searches in a worker. Browsers start no worker from a file. So this runs the worker's script in a hidden
// frame instead. The frame sees its own postMessage as a worker sees it: it leads to the page.
(() => {
  if (location.protocol !== "file:") return;

  window.Worker = class extends EventTarget {
    onmessage = null;
    onerror = null;
    #frame = document.createElement("iframe");
    #script;

    constructor(url) {
      super();
      this.#frame.hidden = true;
      this.#script = this.#start(new URL(url, document.baseURI).href);
      this.#script.catch(() => this.#send(new ErrorEvent("error", { message: `${url} cannot be loaded` })));
    }

    async #start(url) {
      if (document.readyState === "loading") {
        await new Promise((resolve) => document.addEventListener("DOMContentLoaded", resolve, { once: true }));
      }
      document.body.append(this.#frame);
      const inside = this.#frame.contentWindow;
      inside.postMessage = (data) => setTimeout(() => this.#send(new MessageEvent("message", { data })));
      await new Promise((resolve, reject) => {
        const script = inside.document.createElement("script");
        Object.assign(script, { src: url, onload: resolve, onerror: reject });
        inside.document.head.append(script);
      });
      return inside;
    }

    #send(event) {
      this[`on${event.type}`]?.(event);
      this.dispatchEvent(event);
    }

    postMessage(data) {
      this.#script.then((inside) => inside.onmessage?.(new MessageEvent("message", { data })), () => {});
    }

    terminate() {
      this.#frame.remove();
    }
  };
})();
