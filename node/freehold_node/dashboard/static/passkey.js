// Passkeys: asks the browser to use one, or to make one, and brings what it says to the node. What needs this script
// is hidden without it; the passphrase does the same.
(() => {
  "use strict";
  if (!window.PublicKeyCredential || !navigator.credentials) return;

  const bytes = (text) =>
    Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (char) => char.charCodeAt(0));
  const text = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

  const descriptors = (list) => (list || []).map((one) => ({ ...one, id: bytes(one.id) }));

  async function use(options) {
    const publicKey = {
      ...options, challenge: bytes(options.challenge), allowCredentials: descriptors(options.allowCredentials),
    };
    const { rawId, response } = await navigator.credentials.get({ publicKey });
    return {
      id: text(rawId), rawId: text(rawId), type: "public-key", response: {
        clientDataJSON: text(response.clientDataJSON), authenticatorData: text(response.authenticatorData),
        signature: text(response.signature),
        ...(response.userHandle ? { userHandle: text(response.userHandle) } : {}),
      },
    };
  }

  async function make(options) {
    const publicKey = {
      ...options, challenge: bytes(options.challenge), user: { ...options.user, id: bytes(options.user.id) },
      excludeCredentials: descriptors(options.excludeCredentials),
    };
    const { rawId, response } = await navigator.credentials.create({ publicKey });
    return {
      id: text(rawId), rawId: text(rawId), type: "public-key", response: {
        clientDataJSON: text(response.clientDataJSON), attestationObject: text(response.attestationObject),
      },
    };
  }

  // Sends fields as a form of this page would; what comes is JSON, with a text for the person where it is an error.
  async function ask(path, form, fields = {}) {
    const body = new URLSearchParams({ csrf: form.elements.csrf?.value ?? "", ...fields });
    const answer = await fetch(path, { method: "POST", body, headers: { "Accept": "application/json" } });
    if (!answer.headers.get("Content-Type")?.startsWith("application/json")) throw new Error("no answer for a script");
    const told = await answer.json();
    if (!answer.ok) throw Object.assign(new Error("refused"), { said: told.error });
    return told;
  }

  function say(place, words, isBad) {
    place.classList.toggle("is-bad", isBad);
    place.textContent = words;
  }

  async function attempt(part, place, work) {
    const button = part.querySelector("button");
    button.disabled = true;
    say(place, "", false);
    try {
      await work();
    } catch (error) {
      const words = error.said || (error.name === "NotAllowedError" && part.dataset.cancelled)
        || (error.name === "InvalidStateError" && part.dataset.known) || part.dataset.failed;
      say(place, words, true);
    } finally {
      button.disabled = false;
    }
  }

  // A form that is sent once a device has answered.
  function whole(form, credential) {
    form.addEventListener("submit", (event) => {
      if (event.submitter?.name === "language") return;
      event.preventDefault();
      attempt(form, form.querySelector(".proof-said"), async () => {
        const { ticket, options } = await ask(form.dataset.begin, form);
        form.elements.credential.value = JSON.stringify(await credential(options));
        form.elements.ticket.value = ticket ?? "";
        form.submit();
      });
    });
  }

  // A part of a form: after this the form needs no passphrase.
  function proof(part) {
    const form = part.closest("form");
    const box = part.closest(".proof");
    part.querySelector("button").addEventListener("click", () => {
      attempt(part, box.querySelector(".proof-said"), async () => {
        const { ticket, options } = await ask(part.dataset.begin, form);
        const credential = JSON.stringify(await use(options));
        await ask(part.dataset.end, form, { ticket, credential });
        box.querySelector(".field").remove();
        say(box.querySelector(".proof-said"), part.dataset.done, false);
        part.remove();
        (form.querySelector(".actions button") ?? form).focus();
      });
    });
  }

  for (const part of document.querySelectorAll("[data-passkey]")) {
    if (part.dataset.passkey === "prove") proof(part);
    else whole(part, part.dataset.passkey === "add" ? make : use);
    part.hidden = false;
  }
  for (const part of document.querySelectorAll("[data-no-passkey]")) part.hidden = true;
})();
